import { inboxDirectory, startGateway } from "aws-emulator";
import { startMoto } from "aws-emulator/processes";

/** The example of packages/aws-emulator/README.md, which the types hold to what the package is today. */
export async function startAws() {
  const moto = await startMoto(["moto_server"]);
  const gateway = await startGateway({
    port: 4566,
    motoSocket: moto.socket,
    region: "us-east-1",
    accountId: "123456789012",
    workDirectory: "/tmp/functions",
    retryDelaysMs: [1000, 2000],
    assetsDirectory: inboxDirectory,
  });
  return {
    url: gateway.url,
    stop: async () => {
      await gateway.close();
      await moto.stop();
    },
  };
}
