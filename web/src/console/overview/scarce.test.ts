/** What counts as nearly used up. */
import { expect, test } from "vitest";
import { scarce } from "./scarce";

const quota = (share: number, more: { limit?: number; metered?: boolean } = {}) => ({ used: share * 100, limit: 100, share, metered: false, ...more });

test("the fullest comes first, from four fifths on, and what is charged for is left out", () => {
  const found = scarce([
    { tenant: "near", quotas: { rows: quota(0.8), storage: quota(0.79) } },
    { tenant: "over", quotas: { requests: quota(1.2) } },
    { tenant: "pays", quotas: { requests: quota(5, { metered: true }) } },
    { tenant: "none", quotas: { users: quota(1, { limit: 0 }) } },
  ]);
  expect(found.map(({ tenant, name }) => `${tenant} ${name}`)).toEqual(["over requests", "near rows"]);
});
