/** Entry `@muster/kube/scripts`: the user's own checks. Apart from the main entry, since Lua and CEL cost some 10 MB. */
export { type CelChecks, compileCelChecks } from './cel.ts';
export * from './customizations.ts';
export { type LuaOptions, luaProblem, runHealthScript } from './lua.ts';
