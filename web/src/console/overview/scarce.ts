/** Which tenants are near a limit, or at it: from four fifths on, as the API warns. */
import type { Quota } from "../billing/data";

export const WARN_AT = 0.8;

/** One entry per tenant and quota, the fullest first; what is charged for instead of refused waits for nobody. */
export function scarce(tenants: { tenant: string; quotas: Record<string, Quota> }[]): { tenant: string; name: string; share: number }[] {
  return tenants
    .flatMap(({ tenant, quotas }) => Object.entries(quotas).map(([name, quota]) => ({ tenant, name, ...quota })))
    .filter(({ share, metered, limit }) => share >= WARN_AT && limit > 0 && !metered)
    .sort((one, other) => other.share - one.share);
}
