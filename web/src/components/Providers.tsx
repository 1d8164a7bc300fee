/** What every page of both faces stands in: theme, language, queries, notifications, dialogs. */
import { MantineProvider, MantineThemeProvider } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { useMemo, type ReactNode } from "react";
import { queries } from "@/lib/api/queries";
import { boot } from "@/lib/boot";
import { I18nProvider, useI18n } from "@/lib/i18n";
import { themeOf, variables } from "@/lib/theme/theme";

export function Providers({ children }: { children: ReactNode }) {
  const theme = useMemo(() => themeOf(boot.color), []);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme={boot.theme}
      getStyleNonce={() => boot.nonce}
    >
      <QueryClientProvider client={queries}>
        <I18nProvider>
          <Named>
            <ModalsProvider modalProps={{ centered: true }}>
              <Notifications position="bottom-right" limit={4} containerWidth={360} />
              {children}
            </ModalsProvider>
          </Named>
        </I18nProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** Crosses that close something say so in the reader's language. */
function Named({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const theme = useMemo(() => ({ components: { CloseButton: { defaultProps: { "aria-label": t.common.close } } } }), [t]);
  return <MantineThemeProvider theme={theme}>{children}</MantineThemeProvider>;
}
