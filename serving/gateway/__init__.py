"""The gateway: events in, durable before they are acknowledged; recommendations out, seconds after them."""
