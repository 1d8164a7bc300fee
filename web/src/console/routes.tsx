/** Every page of the console; each is fetched when somebody goes there. */
import type { RouteObject } from "react-router";
import { NotFound, PageError } from "@/components/PageError";
import { ConsoleShell } from "./ConsoleShell";

export const routes: RouteObject[] = [
  {
    element: <ConsoleShell />,
    errorElement: <PageError />,
    children: [
      {
        errorElement: <PageError />,
        children: [
          { index: true, lazy: async () => ({ Component: (await import("./overview/OverviewPage")).default }) },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
];
