import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";

interface Options {
  /** The initial URL. */
  url?: string;
  /** The route path with its parameters, e.g. `/runs/$runId`. */
  path?: string;
}

/** Renders the UI inside a router and a query client; returns the screen, these two and a simulated user. */
export function renderWithRouter(ui: ReactNode, { url = "/", path = "/" }: Options = {}) {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const root = createRootRoute();
  const page = createRoute({ getParentRoute: () => root, path, component: () => ui });
  const otherPages = createRoute({ getParentRoute: () => root, path: "$", component: () => null });
  const router = createRouter({
    routeTree: root.addChildren(path === "$" ? [page] : [page, otherPages]),
    history: createMemoryHistory({ initialEntries: [url] }),
  });
  const user = userEvent.setup();
  const screen = render(
    <QueryClientProvider client={queryClient}>
      {/* The router type registered by the app lists all its routes; this router has only one. */}
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
  return { ...screen, user, router, queryClient };
}
