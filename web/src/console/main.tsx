/** The admin console: /admin and admin.DOMAIN. */
import { start } from "@/components/start";
import { routes } from "./routes";

start(routes);
