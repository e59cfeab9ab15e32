import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findPicture, findStalePictures, refreshPictures } from "../../../docs/generator/catalogue-pictures";
import { seedCatalogue } from "../../../handler/notifications/seed";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

it("takes a small picture of each notification's mail, and removes those of other mails", async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { "images/notifications/email-request-00000000.png": "" });
  expect(await refreshPictures(folder, seedCatalogue)).toBeUndefined();
  expect(findStalePictures(folder, seedCatalogue)).toEqual([]);
  for (const notification of seedCatalogue) {
    const picture = readFileSync(join(folder, findPicture(folder, notification) ?? ""));
    expect(picture.subarray(1, 4).toString()).toBe("PNG");
    // The picture's header: its width, then its height.
    expect(picture.readUInt32BE(16)).toBe(900);
    expect(picture.readUInt32BE(20)).toBeGreaterThan(300);
    expect(picture.length).toBeLessThan(60_000);
  }
});
