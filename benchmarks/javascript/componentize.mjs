// Makes a component out of a module: node componentize.mjs MODULE.js CONTRACT.wit OUTPUT.wasm
import { readFile, writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";

const [module, contract, output] = process.argv.slice(2);
const { component } = await componentize(await readFile(module, "utf8"), {
  witPath: contract,
  worldName: "state-view",
  disableFeatures: ["http", "fetch-event"],
});
await writeFile(output, component);
