package dashboard

// operationScreens are the screens about running an environment: what happened, who is told, who may call, what is
// under way, and how roles work in it.
func operationScreens() []Screen {
	const env = "/env/{env}"
	return []Screen{
		{Path: env + "/events", Section: "events", Needs: viewer, show: listEvents},
		{Path: env + "/events/{event}", Section: "events", Needs: viewer, show: showEvent},
		{Path: env + "/organizations/{org}/events", Section: "organizations", Needs: viewer, show: listEvents},
		{Path: env + "/organizations/{org}/events/{event}", Section: "organizations", Needs: viewer, show: showEvent},

		{Path: env + "/webhooks", Section: "webhooks", Needs: viewer, show: listWebhooks},
		{Path: env + "/new/webhook", Section: "webhooks", Needs: editor, Posts: true, show: newWebhook},
		{Path: env + "/webhooks/{endpoint}", Section: "webhooks", Needs: viewer, show: showWebhook},
		{Path: env + "/webhooks/{endpoint}/edit", Section: "webhooks", Needs: editor, Posts: true, show: editWebhook},
		{Path: env + "/webhooks/{endpoint}/enable", Section: "webhooks", Needs: editor, Posts: true, show: enableWebhook},
		{Path: env + "/webhooks/{endpoint}/disable", Section: "webhooks", Needs: editor, Posts: true, show: disableWebhook},
		{Path: env + "/webhooks/{endpoint}/delete", Section: "webhooks", Needs: editor, Posts: true, show: deleteWebhook},
		{Path: env + "/webhooks/{endpoint}/replay", Section: "webhooks", Needs: editor, Posts: true, show: replayRange},
		{Path: env + "/webhooks/{endpoint}/deliveries/{delivery}", Section: "webhooks", Needs: viewer, show: showDelivery},
		{Path: env + "/webhooks/{endpoint}/deliveries/{delivery}/replay", Section: "webhooks", Needs: editor, Posts: true, show: replayDelivery},

		{Path: env + "/keys", Section: "keys", Needs: viewer, show: listKeys},
		{Path: env + "/new/key", Section: "keys", Needs: owner, Posts: true, show: newKey},
		{Path: env + "/keys/{key}/revoke", Section: "keys", Needs: owner, Posts: true, show: revokeKey},

		{Path: env + "/jobs", Section: "jobs", Needs: viewer, show: listJobs},
		{Path: env + "/jobs/{job}", Section: "jobs", Needs: viewer, show: showJob},

		{Path: env + "/settings", Section: "settings", Needs: viewer, show: showSettings},
		{Path: env + "/settings/mode", Section: "settings", Needs: editor, Posts: true, show: switchMode},
		{Path: "/environments", Needs: viewer, show: listEnvironments},
		{Path: "/new/environment", Needs: owner, Posts: true, show: newEnvironment},
	}
}
