export { type Environment, inherit, ofEveryProgram, ofPython } from "./child-environment";
export { type Child, type ChildOptions, type Ending, startChild, stopChild } from "./child-processes";
export { freePort } from "./free-port";
export { motoAccountId, type RunningMoto, startMoto } from "./moto";
export { shellQuoted, shellWord } from "./shell";
