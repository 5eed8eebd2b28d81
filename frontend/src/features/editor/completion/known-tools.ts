/** The tools that come with the product; the server has the last word on which there are. */
export const KNOWN_TOOLS = ["calculator", "current_time", "http_get", "wait"];
