/** Puts a face on the page; both entry points end here. */
import "@mantine/core/styles.css";
import "@mantine/dates/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./base.css";
import { setNonce } from "get-nonce";
import { lazy, StrictMode, Suspense, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import type { RouteObject } from "react-router";
import { asProblem } from "@/lib/api/problem";
import { boot } from "@/lib/boot";
import { takeLink } from "@/lib/session/link";
import { Gate } from "./Gate";
import { Opening } from "./Opening";
import { Providers } from "./Providers";
import { Trouble } from "./Trouble";

const LinkPage = lazy(() => import("@/features/auth/LinkPage"));
const SetUpPage = lazy(() => import("@/features/auth/SetUpPage"));

/** `load` brings what signed-in people see; nobody else fetches it. */
export function start(load: () => Promise<{ routes: RouteObject[] }>): void {
  setNonce(boot.nonce);
  const Pages = lazy(async () => {
    try {
      const [{ routed }, { routes }] = await Promise.all([import("./routed"), load()]);
      return { default: routed(routes) };
    } catch (error) {
      return { default: () => <Trouble problem={asProblem(error)} onRetry={() => location.reload()} page /> };
    }
  });
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <Providers>
        {byLink() ?? (
          <Gate>
            <Suspense fallback={<Opening />}>
              <Pages />
            </Suspense>
          </Gate>
        )}
      </Providers>
    </StrictMode>,
  );
}

/** The pages that links of mails and of the first start lead to: for people who are nobody yet. */
function byLink(): ReactNode {
  const place = location.pathname.slice(boot.home.length);
  if (place !== "/link" && !(place === "/setup" && boot.face === "console")) return null;
  const link = takeLink();
  return <Suspense fallback={<Opening />}>{place === "/link" ? <LinkPage link={link} /> : <SetUpPage token={link.token} />}</Suspense>;
}
