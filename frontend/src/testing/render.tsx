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
  /** The address at which it is shown. */
  url?: string;
  /** The route's path with its parameters, e.g. `/runs/$runId`. */
  path?: string;
}

/** Shows something as the product would: with a router, a query client and a user at the keyboard. */
export function show(ui: ReactNode, { url = "/", path = "/" }: Options = {}) {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const root = createRootRoute();
  const page = createRoute({ getParentRoute: () => root, path, component: () => ui });
  const elsewhere = createRoute({ getParentRoute: () => root, path: "$", component: () => null });
  const router = createRouter({
    routeTree: root.addChildren(path === "$" ? [page] : [page, elsewhere]),
    history: createMemoryHistory({ initialEntries: [url] }),
  });
  const user = userEvent.setup();
  const screen = render(
    <QueryClientProvider client={queryClient}>
      {/* The test's router has one page; the product's type knows them all. */}
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
  return { ...screen, user, router, queryClient };
}
