package api

func webhookRoutes() []Route {
	const path, tag = "/webhook_endpoints", "webhooks"
	shared := refuse(403, "organization_restricted") // an endpoint hears of every organization
	url := refuse(422, "invalid_request_parameters", "invalid_url")
	taken := refuse(409, "duplicate_endpoint")
	disabled := refuse(409, "webhook_endpoint_disabled")
	return []Route{
		{Method: "GET", Path: path, Operation: "listWebhookEndpoints", Summary: "List webhook endpoints.", Tag: tag,
			Parameters: paging, Status: 200, Answer: List[WebhookEndpoint]{}, Refusals: []Refusal{shared, invalid}, handle: action(listEndpoints, shown(endpointBody))},
		{Method: "POST", Path: path, Operation: "createWebhookEndpoint", Summary: "Create a webhook endpoint. It gets what happens from then on.", Tag: tag, Body: NewWebhookEndpoint{},
			Status: 201, Answer: WebhookEndpoint{}, Refusals: []Refusal{malformed, refuse(409, "duplicate_endpoint", "too_many_endpoints"), url}, handle: action(createEndpoint, showEndpoint)},
		{Method: "GET", Path: path + "/{id}", Operation: "getWebhookEndpoint", Summary: "Get a webhook endpoint.", Tag: tag,
			Status: 200, Answer: WebhookEndpoint{}, Refusals: []Refusal{shared, missing}, Extension: true, handle: action(getEndpoint, showEndpoint)},
		{Method: "PATCH", Path: path + "/{id}", Operation: "updateWebhookEndpoint", Summary: "Change, disable or enable a webhook endpoint.", Tag: tag, Body: WebhookEndpointChange{},
			Status: 200, Answer: WebhookEndpoint{}, Refusals: []Refusal{malformed, missing, taken, url}, handle: action(updateEndpoint, showEndpoint)},
		{Method: "DELETE", Path: path + "/{id}", Operation: "deleteWebhookEndpoint", Summary: "Delete a webhook endpoint with its deliveries.", Tag: tag,
			Status: 204, Refusals: []Refusal{missing}, handle: remove(deleteEndpoint)},
		{Method: "GET", Path: path + "/{id}/deliveries", Operation: "listWebhookDeliveries", Summary: "List the deliveries to a webhook endpoint of the last 90 days.", Tag: tag,
			Parameters: with(
				Parameter{Name: "status", Kind: "string", Enum: []string{"pending", "succeeded", "failed"}, Summary: "Only deliveries with this status."},
				Parameter{Name: "event", Kind: "string", Summary: "Only deliveries of events with this name."},
			), Status: 200, Answer: List[WebhookDelivery]{}, Refusals: []Refusal{shared, missing, invalid}, Extension: true, handle: action(listDeliveries, shown(deliveryBody))},
		{Method: "GET", Path: path + "/{id}/deliveries/{deliveryId}", Operation: "getWebhookDelivery", Summary: "Get a delivery with its attempts and the answers received.", Tag: tag,
			Status: 200, Answer: WebhookDelivery{}, Refusals: []Refusal{shared, missing}, Extension: true, handle: action(getDelivery, showLoggedDelivery)},
		{Method: "POST", Path: path + "/{id}/deliveries/{deliveryId}/replay", Operation: "replayWebhookDelivery", Summary: "Send the event of a delivery again, as a new delivery.", Tag: tag,
			Status: 201, Answer: WebhookDelivery{}, Refusals: []Refusal{missing, disabled}, Extension: true, handle: action(replayDelivery, showDelivery)},
		{Method: "POST", Path: path + "/{id}/replay", Operation: "replayWebhookEvents", Summary: "Send all subscribed events of a time, or after an event, again.", Tag: tag, Body: NewWebhookReplay{},
			Status: 202, Answer: WebhookReplay{}, Refusals: []Refusal{malformed, missing, disabled, invalid}, Extension: true, handle: action(replayRange, showReplay)},
	}
}
