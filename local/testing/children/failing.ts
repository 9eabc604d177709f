/** Says why it cannot start, in the way that its argument names. */
if (process.argv[2] === "told") {
  process.send?.({ type: "failed", message: "port 4000 is in use" });
} else {
  throw new TypeError("the settings are wrong");
}
