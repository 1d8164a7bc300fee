/** Ten shades from one colour, such that text on them can be read whatever the colour is (WCAG 2.2 AA). */
import type { MantineColorsTuple } from "@mantine/core";

type Lch = [l: number, c: number, h: number];

const LADDER = [0.972, 0.935, 0.875, 0.81, 0.745, 0.66, 0.54, 0.47, 0.4, 0.33];
const READABLE = 4.6;

function linear(channel: number): number {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}

function gamma(channel: number): number {
  return channel <= 0.0031308 ? channel * 12.92 : 1.055 * channel ** (1 / 2.4) - 0.055;
}

function rgbOf(hex: string): [number, number, number] {
  return [1, 3, 5].map((at) => linear(parseInt(hex.slice(at, at + 2), 16) / 255)) as [number, number, number];
}

/** Linear sRGB to OKLCH (Ottosson 2020). */
function lchOf(hex: string): Lch {
  const [r, g, b] = rgbOf(hex);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const a = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const bb = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, Math.hypot(a, bb), Math.atan2(bb, a)];
}

function channels([light, chroma, hue]: Lch): [number, number, number] {
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** The nearest colour a screen has: less chroma where there is not so much. */
function hexOf([light, chroma, hue]: Lch): string {
  let fitting = chroma;
  let rgb = channels([light, fitting, hue]);
  while (fitting > 0.002 && rgb.some((channel) => channel < -0.001 || channel > 1.001)) {
    fitting *= 0.95;
    rgb = channels([light, fitting, hue]);
  }
  const byte = (channel: number) => Math.round(255 * gamma(Math.min(1, Math.max(0, channel))));
  return "#" + rgb.map((channel) => byte(channel).toString(16).padStart(2, "0")).join("");
}

function luminance(hex: string): number {
  const [r, g, b] = rgbOf(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(one: string, other: string): number {
  const [bright, dim] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (bright + 0.05) / (dim + 0.05);
}

/** Shade 6 carries white text, 7 is text on the palest shade, 4 is text on dark surfaces. */
export function shades(color: string): MantineColorsTuple {
  const base = /^#[0-9a-fA-F]{6}$/.test(color) ? color : "#3b5bdb";
  const [light, chroma, hue] = lchOf(base);
  const made = LADDER.map((step, index) => {
    const pale = index < 5 ? 0.25 + 0.15 * index : 1;
    return hexOf([index === 6 ? Math.min(light, 0.58) : step, chroma * pale, hue]);
  });
  const adjust = (index: number, ok: (hex: string) => boolean, by: number) => {
    const [start, c, h] = lchOf(made[index]!);
    let l = start;
    while (!ok(made[index]!) && l > 0.02 && l < 0.98) {
      l += by;
      made[index] = hexOf([l, c, h]);
    }
  };
  adjust(6, (hex) => contrast(hex, "#ffffff") >= READABLE, -0.01);
  adjust(7, (hex) => contrast(hex, made[0]!) >= READABLE + 0.4 && contrast(hex, made[6]!) > 1.1, -0.01);
  adjust(4, (hex) => contrast(hex, "#2a2d33") >= READABLE + 0.6, 0.01);
  return made as unknown as MantineColorsTuple;
}
