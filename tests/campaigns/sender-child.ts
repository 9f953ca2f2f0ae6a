/** Sends campaigns until it is killed, or all is sent: `sender-child.ts <database> <file> <id>` */
import { CampaignStage } from "./campaign-stage.ts";
import { FileMailer } from "./file-mailer.ts";

const [databaseUrl = "", path = "", id = ""] = process.argv.slice(2);
const stage = await CampaignStage.open(databaseUrl, new FileMailer({ path, delayMsMax: 20 }));
await stage.runUntil(id, "sent");
await stage.close();
