import { setupServer } from "msw/node";

/** Mock API server; add handlers with `server.use(http.get("/api/v1/runs", () => HttpResponse.json(...)))`. */
export const server = setupServer();
