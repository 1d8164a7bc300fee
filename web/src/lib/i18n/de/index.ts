import type { Messages } from "../en";
import { audit } from "./audit";
import { auth } from "./auth";
import { common } from "./common";
import { console } from "./console";
import { shell } from "./shell";
import { tenants } from "./tenants";
import { work } from "./work";

export const de: Messages = { audit, auth, common, console, shell, tenants, work };
