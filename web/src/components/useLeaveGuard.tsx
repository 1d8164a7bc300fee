/** Ask before leaving a page with something on it that is not saved. */
import { Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useEffect, useRef } from "react";
import { useBlocker } from "react-router";
import { useI18n } from "@/lib/i18n";

export function useLeaveGuard(unsaved: () => boolean): void {
  const { t } = useI18n();
  const blocker = useBlocker(({ currentLocation, nextLocation }) => currentLocation.pathname !== nextLocation.pathname && unsaved());
  const asked = useRef(false);
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (unsaved()) event.preventDefault();
    };
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  });
  useEffect(() => {
    if (blocker.state !== "blocked" || asked.current) return;
    asked.current = true;
    modals.openConfirmModal({
      title: t.form.leave,
      children: <Text size="sm">{t.form.leaveHint}</Text>,
      labels: { confirm: t.form.leaveNow, cancel: t.form.stay },
      confirmProps: { color: "red" },
      onConfirm: () => blocker.proceed(),
      onCancel: () => blocker.reset(),
      onClose: () => {
        asked.current = false;
        if (blocker.state === "blocked") blocker.reset();
      },
    });
  }, [blocker, t]);
}
