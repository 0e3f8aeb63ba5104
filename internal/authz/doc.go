// Package authz is the core: permissions, roles, their priority, organizations, users, memberships, assignments, and
// the decision whether a member may do something. It owns every rule about them and leaves storage to package store
// and every protocol to the doors. It imports neither net/http nor database/sql.
//
// Rule numbers (R1-R218) are those of the behaviour dossier that docs/words.md introduces. What must always hold:
//
//	I1  Slugs are unique in their scope: a permission's in its environment, an environment role's in its environment,
//	    a custom role's in its organization (R2, R50). Slugs never change (R3).
//	I2  Every environment has exactly one default role, an environment role of its own (R20).
//	I3  An organization either follows the environment's default and order, or has exactly one default and one order
//	    of its own; it has its own from its first custom role on, also after the last one is gone (R32, R36).
//	I4  A priority order is a permutation of the roles available: an environment's of its environment roles, an
//	    organization's of those and its custom roles. Environment roles that its stored order does not name stand at
//	    the bottom in the order of their creation (R31, R33).
//	I5  An assignment names a role that is available in its organization, or one that is retired there until it is
//	    moved, and a resource of the role's type; it never outlives its subject, role, resource or organization.
//	I6  A membership has at least one effective role, and without multiple roles exactly one: its assignments', else
//	    the current default of its organization.
//	I7  One user has at most one membership in an organization (R60).
//	I8  Nothing of one environment is read, changed or inferred through another: an unknown id and somebody else's id
//	    are the same refusal.
//	I9  The role member of an environment exists as long as the environment (R21).
//	I10 A role holds permissions of its own environment only, each once.
//	I11 Every committed change carries its events and every event its change, in one transaction. Resources and their
//	    types have none in the public contract.
//	I12 Nothing created again under an old slug, external id or e-mail inherits anything from its predecessor.
//	I13 A decision depends on what was committed and on the clock, never on how far a job came.
//	I14 When no job is left, the last event of every membership shows its effective roles.
//	I15 Resource types form a hierarchy without cycles, and every resource hangs from its organization by parents of
//	    allowed types, in the same organization.
//	I16 No caller causes anybody to hold a permission that the caller may not give (MayCause).
package authz
