/**
 * Settings of the AWS SDK for programs that people start; each imports this file. They are read when a client is made.
 */

// On Node 20 the first AWS client of a process warns that from 2027 on new versions of the SDK will want Node 22.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
