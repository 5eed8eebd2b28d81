import { setupServer } from "msw/node";

/** The API as a test scripts it: `server.use(http.get("/api/v1/runs", () => HttpResponse.json(...)))`. */
export const server = setupServer();
