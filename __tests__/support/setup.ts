import { Testing } from "cdktf";
import "../../aws-sdk-settings";

Testing.setupJest();
