import { awsProvider } from "../../../sandbox/tools/pinned-providers";
import { emptyMachine } from "../../support/machine";
import { missingRequirements } from "../../support/requires";
import { programs, temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const { version } = awsProvider;
const PATH = programs({
  terraform: `echo '{"terraform_version": "1.11.4"}'`,
  python3: `[ "$1" = -c ] && echo 5.2.1`,
});

it("the integration tests' requirements that a machine lacks are one sentence each", () => {
  expect(missingRequirements(emptyMachine())).toEqual([
    expect.stringMatching(/^Terraform 1\.10 or newer is missing.*\.$/),
    expect.stringMatching(/^The server of moto 5 or newer is missing.*\.$/),
    `No mirror holds hashicorp/aws ${version}: name one in TF_PROVIDER_MIRROR.`,
  ]);
});

it("a machine that has them all lacks none, and a browser is not among them", () => {
  const TF_PROVIDER_MIRROR = writeFiles(temporaryFolder(), {
    [`registry.test/hashicorp/aws/${version}/linux_amd64/terraform-provider-aws_v${version}_x5`]: "",
  });
  expect(missingRequirements(emptyMachine({ environment: { PATH, TF_PROVIDER_MIRROR } }))).toEqual([]);
});
