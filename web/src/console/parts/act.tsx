/** What the console asks the platform to do: says that it is done, or why not, and looks at everything again. */
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { ask } from "@/lib/api/client";
import { asProblem } from "@/lib/api/problem";
import { queries } from "@/lib/api/queries";
import { useI18n } from "@/lib/i18n";

/** Call `rpc/NAME` of the platform. */
export async function call<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
  return (await ask<T>(`/rpc/${name}`, { method: "POST", body: args })).data;
}

/** A mutation that tells: `said` when it worked. */
export function useAct<A, T>(work: (args: A) => Promise<T>, said: string | ((result: T) => string), after?: (result: T) => void) {
  const { t } = useI18n();
  const close = { "aria-label": t.common.close };
  return useMutation({
    mutationFn: work,
    onSuccess: async (result) => {
      const message = typeof said === "function" ? said(result) : said;
      if (message) notifications.show({ message, color: "green", closeButtonProps: close });
      await queries.invalidateQueries();
      after?.(result);
    },
    onError: (error) => {
      const problem = asProblem(error);
      const told = problem.offline ? t.shell.offlineHint : [problem.message, problem.hint].filter(Boolean).join(" – ");
      notifications.show({ title: problem.title || t.shell.broken, message: told, color: "red", autoClose: 10_000, closeButtonProps: close });
    },
  });
}
