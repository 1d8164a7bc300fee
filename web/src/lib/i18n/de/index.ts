import type { Messages } from "../en";
import { auth } from "./auth";
import { common } from "./common";
import { shell } from "./shell";

export const de: Messages = { auth, common, shell };
