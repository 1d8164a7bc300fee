import type { Messages } from "../en";
import { audit } from "./audit";
import { auth } from "./auth";
import { common } from "./common";
import { console } from "./console";
import { form } from "./form";
import { history } from "./history";
import { shell } from "./shell";
import { table } from "./table";
import { tenants } from "./tenants";
import { work } from "./work";

export const de: Messages = { audit, auth, common, console, form, history, shell, table, tenants, work };
