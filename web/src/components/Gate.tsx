/** Lets in who is signed in; everybody else finds the sign-in page at the same address. */
import { lazy, Suspense, type ReactNode } from "react";
import { boot } from "@/lib/boot";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { MeProvider, useMeQuery } from "@/lib/session/session";
import { Opening } from "./Opening";
import { Trouble } from "./Trouble";

const SignInPage = lazy(() => import("@/features/auth/SignInPage"));

export function Gate({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const { data: me, error, refetch } = useMeQuery();
  if (me === undefined) return error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} page /> : <Opening />;
  // who stands in for somebody has no second factor of theirs; rights are the server's to give
  if (me.user === null || (!me.standing_in && (me.mfa.required || me.mfa.enrolled) && me.aal !== "aal2"))
    return (
      <Suspense fallback={<Opening />}>
        <SignInPage me={me} />
      </Suspense>
    );
  const stranger = boot.face === "console" && !me.roles.includes("platform_admin");
  if (stranger)
    return (
      <Suspense fallback={<Opening />}>
        <SignInPage me={me} refused={t.auth.notAdmin} />
      </Suspense>
    );
  return <MeProvider me={me}>{children}</MeProvider>;
}
