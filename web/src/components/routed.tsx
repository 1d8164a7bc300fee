/** The pages behind the gate; fetched once somebody is signed in, with the router and the frame they stand in. */
import { createBrowserRouter, RouterProvider, type RouteObject } from "react-router";
import { boot } from "@/lib/boot";

/** Makes a component of routes. Called once: the router holds on to the address. */
export function routed(routes: RouteObject[]) {
  const router = createBrowserRouter(routes, { basename: boot.home || "/" });
  return () => <RouterProvider router={router} />;
}
