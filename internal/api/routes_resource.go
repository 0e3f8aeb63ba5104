package api

func resourceTypeRoutes() []Route {
	const path, tag = "/authorization/resource_types", "resource types"
	inUse := refuse(409, "resource_type_in_use")
	return []Route{
		{Method: "GET", Path: path, Operation: "listResourceTypes", Summary: "List the resource types of the environment, by slug, without the built-in organization.", Tag: tag,
			Status: 200, Answer: ResourceTypeList{}, Extension: true, handle: action(listResourceTypes, showResourceTypes)},
		{Method: "POST", Path: path, Operation: "createResourceType", Summary: "Create a resource type.", Tag: tag, Body: NewResourceType{},
			Status: 201, Answer: ResourceType{}, Refusals: []Refusal{malformed, missing, refuse(409, "resource_type_slug_conflict", "resource_type_limit_reached"), invalid},
			Extension: true, handle: action(createResourceType, showResourceType)},
		{Method: "GET", Path: path + "/{slug}", Operation: "getResourceType", Summary: "Get a resource type.", Tag: tag,
			Status: 200, Answer: ResourceType{}, Refusals: []Refusal{missing}, Extension: true, handle: action(getResourceType, showResourceType)},
		{Method: "PATCH", Path: path + "/{slug}", Operation: "updateResourceType", Summary: "Change the name, description or parents of a resource type.", Tag: tag,
			Body: ResourceTypeChange{}, Status: 200, Answer: ResourceType{}, Refusals: []Refusal{malformed, missing, inUse, invalid},
			Extension: true, handle: action(updateResourceType, showResourceType)},
		{Method: "DELETE", Path: path + "/{slug}", Operation: "deleteResourceType", Summary: "Delete a resource type of which nothing is and below which no other lies.", Tag: tag,
			Status: 204, Refusals: []Refusal{missing, inUse}, Extension: true, handle: remove(deleteResourceType)},
	}
}

func resourceRoutes() []Route {
	const path, tag = "/authorization/resources", "resources"
	routes := []Route{
		{Method: "GET", Path: path, Operation: "listResources", Summary: "List resources of an organization, of a type, or directly below another.", Tag: tag,
			Parameters: with(
				Parameter{Name: "organization_id", Kind: "string", Summary: "This, resource_type_slug or parent_resource_id is required."},
				Parameter{Name: "resource_type_slug", Kind: "string", Summary: "This, organization_id or parent_resource_id is required."},
				Parameter{Name: "resource_external_id", Kind: "string", Summary: "Only resources with this external id."},
				Parameter{Name: "parent_resource_id", Kind: "string", Summary: "Only resources directly below this one. Excludes the other two."},
				Parameter{Name: "parent_resource_type_slug", Kind: "string", Summary: "Goes with parent_external_id."},
				Parameter{Name: "parent_external_id", Kind: "string", Summary: "Only resources directly below the one with this external id. Goes with parent_resource_type_slug and organization_id."},
				Parameter{Name: "parent_resource_external_id", Kind: "string", Summary: "Other name of parent_external_id."},
			), Status: 200, Answer: List[Resource]{}, Refusals: []Refusal{refuse(400, "missing_organization_id_or_resource_type_slug"), invalid},
			handle: action(listResources, shown(resourceBody))},
		{Method: "POST", Path: path, Operation: "createResource", Summary: "Create a resource.", Tag: tag, Body: NewResource{},
			Status: 201, Answer: Resource{}, Refusals: []Refusal{malformed, missing, refuse(409, "authorization_resource_external_id_conflict"), invalid},
			handle: action(createResource, showResource)},
	}
	for _, named := range []struct{ path, operation, by string }{
		{path + "/{resource_id}", "", ""},
		{"/authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}", "ByExternalId", " by your own id for it"},
	} {
		routes = append(routes,
			Route{Method: "GET", Path: named.path, Operation: "getResource" + named.operation, Summary: "Get a resource" + named.by + ".", Tag: tag,
				Status: 200, Answer: Resource{}, Refusals: []Refusal{missing}, handle: action(getResource, showResource)},
			Route{Method: "PATCH", Path: named.path, Operation: "updateResource" + named.operation, Summary: "Change the name, description or parent of a resource" + named.by + ".", Tag: tag,
				Body: ResourceChange{}, Status: 200, Answer: Resource{}, Refusals: []Refusal{malformed, missing, invalid}, handle: action(updateResource, showResource)},
			Route{Method: "DELETE", Path: named.path, Operation: "deleteResource" + named.operation, Summary: "Delete a resource" + named.by + ", with everything below it and all assignments on it when asked to.", Tag: tag,
				Parameters: append([]Parameter{{Name: "cascade_delete", Kind: "boolean", Summary: "Whether what is below the resource and assignments go with it. Without, a resource that has any is not deleted."}}, previewing...),
				Status:     204, Refusals: []Refusal{malformed, missing, refuse(409, "resource_has_dependents"), invalid}, handle: previewed(supposeDeleteResource, remove(deleteResource))},
		)
	}
	return routes
}
