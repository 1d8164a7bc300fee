/** Puts a face on the page; both entry points end here. */
import "@mantine/core/styles.css";
import "@mantine/dates/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./base.css";
import { setNonce } from "get-nonce";
import { lazy, StrictMode, Suspense, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { createBrowserRouter, RouterProvider, type RouteObject } from "react-router";
import { boot } from "@/lib/boot";
import { takeLink } from "@/lib/session/link";
import { Gate } from "./Gate";
import { Opening } from "./Opening";
import { Providers } from "./Providers";

const LinkPage = lazy(() => import("@/features/auth/LinkPage"));
const SetUpPage = lazy(() => import("@/features/auth/SetUpPage"));

/** `routes` are what signed-in people see. */
export function start(routes: RouteObject[]): void {
  setNonce(boot.nonce);
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <Providers>{byLink() ?? <Inside routes={routes} />}</Providers>
    </StrictMode>,
  );
}

function Inside({ routes }: { routes: RouteObject[] }) {
  const router = createBrowserRouter(routes, { basename: boot.home || "/" });
  return (
    <Gate>
      <RouterProvider router={router} />
    </Gate>
  );
}

/** The pages that links of mails and of the first start lead to: for people who are nobody yet. */
function byLink(): ReactNode {
  const place = location.pathname.slice(boot.home.length);
  if (place !== "/link" && !(place === "/setup" && boot.face === "console")) return null;
  const link = takeLink();
  return <Suspense fallback={<Opening />}>{place === "/link" ? <LinkPage link={link} /> : <SetUpPage token={link.token} />}</Suspense>;
}
