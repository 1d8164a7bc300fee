/** The admin console: /admin and admin.DOMAIN. */
import { start } from "@/components/start";

start(() => import("./routes"));
