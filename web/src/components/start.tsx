/** Puts a face on the page; both entry points end here. */
import "@mantine/core/styles.css";
import "@mantine/dates/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./base.css";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createBrowserRouter, RouterProvider, type RouteObject } from "react-router";
import { boot } from "@/lib/boot";
import { Gate } from "./Gate";
import { Providers } from "./Providers";

/** `routes` are what signed-in people see. */
export function start(routes: RouteObject[]): void {
  setNonce(boot.nonce);
  const router = createBrowserRouter(routes, { basename: boot.home || "/" });
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <Providers>
        <Gate>
          <RouterProvider router={router} />
        </Gate>
      </Providers>
    </StrictMode>,
  );
}
