import { GetTemplateCommand, TemplateDoesNotExistException } from "@aws-sdk/client-ses";
import { type Moto } from "../../gateway/moto";
import { type Template } from "./render";

/** @returns `undefined` where there is none of this name */
export async function storedTemplate(moto: Moto, name: string): Promise<Template | undefined> {
  try {
    const { Template: stored } = await moto.ses.send(new GetTemplateCommand({ TemplateName: name }));
    return { subject: stored?.SubjectPart ?? "", html: stored?.HtmlPart ?? "", text: stored?.TextPart ?? "" };
  } catch (error) {
    if (error instanceof TemplateDoesNotExistException) return undefined;
    throw error;
  }
}
