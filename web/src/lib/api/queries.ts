/** The one QueryClient of a page: what is fetched is kept for a moment, refusals are not asked again. */
import { QueryClient } from "@tanstack/react-query";
import { Problem } from "./problem";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => count < 2 && (!(error instanceof Problem) || error.status === 0 || error.status >= 502),
      refetchOnWindowFocus: true,
    },
  },
});
