// The order matters: fengari's parts import each other in a circle.
// @ts-ignore fengari has no types
import definitions from 'fengari/src/defs.js';
// @ts-ignore fengari has no types
import configuration from 'fengari/src/luaconf.js';
import { luaNumber } from './lua51.ts';

/** What fengari takes from its configuration while it loads, which is why this file must be imported before it. */
interface Configuration {
  /** Whole numbers print as `2`, not `2.0`. */
  LUA_COMPAT_FLOATSTRING: boolean;
  lua_number2str(n: number): string;
}

// Named here, or a bundler leaves the import out: the package says of itself that it has no side effects.
if (typeof (definitions as { to_luastring?: unknown }).to_luastring !== 'function')
  throw new Error('another fengari');

Object.assign(configuration as Configuration, { LUA_COMPAT_FLOATSTRING: true, lua_number2str: luaNumber });
