/** The look of both faces: one accent, neutral surfaces, one type scale, 8-px rhythm. */
import { createTheme, type CSSVariablesResolver } from "@mantine/core";
import { shades } from "./shades";

const FONT = '"Inter Variable", Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

export function themeOf(color: string) {
  return createTheme({
    primaryColor: "accent",
    primaryShade: { light: 6, dark: 6 },
    colors: {
      accent: shades(color),
      dark: ["#e3e5e8", "#c6cad0", "#a9aeb7", "#7d838e", "#4a4f58", "#373b43", "#2a2d33", "#202329", "#191b20", "#121418"],
      gray: ["#f8f9fa", "#f1f3f5", "#e7e9ec", "#dbdee2", "#c3c8ce", "#9aa1a9", "#676e76", "#4b5158", "#33383e", "#1f2328"],
    },
    fontFamily: FONT,
    fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
    lineHeights: { md: "1.5" },
    headings: {
      fontFamily: FONT,
      fontWeight: "600",
      sizes: { h1: { fontSize: "1.375rem" }, h2: { fontSize: "1.125rem" }, h3: { fontSize: "1rem" }, h4: { fontSize: "0.875rem" } },
    },
    spacing: { xs: "0.5rem", sm: "0.75rem", md: "1rem", lg: "1.5rem", xl: "2rem" },
    defaultRadius: "md",
    radius: { md: "0.4375rem" },
    cursorType: "pointer",
    respectReducedMotion: true,
    autoContrast: true,
    focusRing: "auto",
    components: {
      Modal: { defaultProps: { transitionProps: { duration: 120, transition: "fade" } } },
      Menu: { defaultProps: { transitionProps: { duration: 90 }, shadow: "md" } },
      Tooltip: { defaultProps: { openDelay: 350, transitionProps: { duration: 90 }, withinPortal: true } },
      Button: { defaultProps: { size: "sm" } },
      ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    },
  });
}

/** Text that is dimmed keeps its contrast; placeholders, too. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#626972",
    "--mantine-color-placeholder": "#6a7179",
    "--mantine-color-body": "#ffffff",
    "--surface-sunken": "#f6f7f9",
    "--line": "#e4e7eb",
    "--mantine-color-anchor": "var(--mantine-color-accent-7)",
    "--mantine-color-error": "#c92a2a",
  },
  dark: {
    "--mantine-color-dimmed": "#a2a8b1",
    "--mantine-color-placeholder": "#8d949e",
    "--mantine-color-body": "#191b20",
    "--surface-sunken": "#131519",
    "--line": "#2c3038",
    "--mantine-color-anchor": "var(--mantine-color-accent-4)",
    "--mantine-color-error": "#ff8787",
  },
});
