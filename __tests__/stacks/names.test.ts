import { synthNotificationStack } from "../support/stack";

it("lets one stage live in two regions of an account", () => {
  const accountWideNames = (region: string) => {
    const stack = synthNotificationStack({ AWS_REGION: region });
    return [
      ...stack.resources("aws_iam_role").map(({ name }) => name),
      ...stack.resources("aws_cloudwatch_dashboard").map(({ dashboard_name: name }) => name),
    ].sort();
  };
  const [here, there] = [accountWideNames("eu-west-1"), accountWideNames("eu-central-1")];
  expect(here).toEqual([
    "shop-dev-notifications-eu-west-1",
    "shop-dev-priority-role-eu-west-1",
    "shop-dev-role-eu-west-1",
  ]);
  expect(there.filter((name) => here.includes(name))).toEqual([]);
});

it("gives a function its new role before the old one goes, where the role's name changes", () => {
  const stack = synthNotificationStack();
  for (const type of ["aws_iam_role", "aws_iam_role_policy"]) {
    for (const { lifecycle } of stack.resources(type)) expect(lifecycle).toEqual({ create_before_destroy: true });
  }
});
