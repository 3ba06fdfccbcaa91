import './lua-settings.ts';
// @ts-ignore fengari has no types
import fengariModule from 'fengari';
import type { KubeObject } from '../object.ts';
import { type Health, unknown } from './status.ts';

/** The part of fengari's interface, Lua's C API, that is used here. */
interface Fengari {
  // oxlint-disable-next-line typescript/no-explicit-any -- an untyped library
  lua: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- an untyped library
  lauxlib: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- an untyped library
  lualib: any;
  to_luastring(text: string): Uint8Array;
  to_jsstring(text: Uint8Array): string;
}
type LuaState = unknown;

const { lua, lauxlib, lualib, to_luastring: bytes, to_jsstring: textOf } = fengariModule as Fengari;

/** What a script may use. */
export interface LuaOptions {
  /** Milliseconds since 1970: for `os.time` and the time limit. */
  now: () => number;
  /** Also string, math and coroutine (`health.lua.useOpenLibs`). */
  openLibs?: boolean;
  /** VM instructions; default 2,000,000. */
  maxInstructions?: number;
  /** Milliseconds; default 1000, as in the reference. */
  maxTime?: number;
}

const HOOK_INTERVAL = 1000;
const MAX_REPEATED = 1 << 20;
const STATUSES = new Set(['Healthy', 'Suspended', 'Progressing', 'Missing', 'Degraded', 'Unknown']);

/** Names of Lua 5.1 that 5.3 dropped, and a string.rep that cannot fill the memory. */
const PRELUDE = `
unpack = table.unpack
table.getn = function(t) return #t end
table.maxn = function(t) local n = 0 for k in pairs(t) do if type(k) == "number" and k > n then n = k end end return n end
loadstring = load
dofile, loadfile, collectgarbage, rawlen = nil, nil, nil, nil
if math then math.pow = function(x, y) return x ^ y end; math.mod = math.fmod end
if string then
  string.gfind = string.gmatch
  string.dump = nil
  local rep = string.rep
  string.rep = function(s, n, sep)
    if (#s + #(sep or "")) * n > ${MAX_REPEATED} then error("resulting string too large") end
    return rep(s, n, sep)
  end
end
`;

/**
 * Runs a health script of the reference (Lua 5.1, the object as `obj`, a table with status and message returned).
 * Null when it returns nil. A script that fails, does not compile or exceeds its budget is Unknown with the error.
 * Memory is not bounded: scripts of strangers belong in a worker with limits.
 */
export function runHealthScript(script: string, object: KubeObject, options: LuaOptions): Health | null {
  const L: LuaState = lauxlib.luaL_newstate();
  try {
    openLibraries(L, options);
    limit(L, options);
    push(L, object);
    lua.lua_setglobal(L, bytes('obj'));
    if (
      lauxlib.luaL_loadbuffer(L, bytes(script), null, bytes('=script')) !== 0 ||
      lua.lua_pcall(L, 0, -1, 0) !== 0
    ) {
      return unknown(describe(L));
    }
    return readHealth(L);
  } catch (thrown) {
    // A stack overflow of the interpreter itself surfaces as a JavaScript error.
    return unknown(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** What is wrong with a script before it runs; undefined for one that compiles. */
export function luaProblem(script: string): string | undefined {
  const L: LuaState = lauxlib.luaL_newstate();
  return lauxlib.luaL_loadbuffer(L, bytes(script), null, bytes('=script')) === 0 ? undefined : describe(L);
}

function openLibraries(L: LuaState, options: LuaOptions): void {
  const open = (name: string, opener: unknown) => {
    lauxlib.luaL_requiref(L, bytes(name), opener, 1);
    lua.lua_pop(L, 1);
  };
  open('_G', lualib.luaopen_base);
  open('table', lualib.luaopen_table);
  if (options.openLibs) {
    open('string', lualib.luaopen_string);
    open('math', lualib.luaopen_math);
    open('coroutine', lualib.luaopen_coroutine);
  }
  lua.lua_register(L, bytes('print'), () => 0);
  lua.lua_register(L, bytes('require'), (state: LuaState) => requireLibrary(state, options));
  if (options.openLibs) {
    pushOs(L, options);
    lua.lua_setglobal(L, bytes('os'));
  }
  lauxlib.luaL_loadstring(L, bytes(PRELUDE));
  lua.lua_call(L, 0, 0);
}

/** `require` knows the loaded libraries and a harmless `os`; there is no search path. */
function requireLibrary(L: LuaState, options: LuaOptions): number {
  const name = textOf(lauxlib.luaL_checkstring(L, 1));
  if (name === 'os') {
    pushOs(L, options);
    return 1;
  }
  lua.lua_getglobal(L, bytes(name));
  if (lua.lua_istable(L, -1)) return 1;
  return lauxlib.luaL_error(L, bytes(`module ${name} not found`));
}

/** `os` with time and date only, both in UTC. */
function pushOs(L: LuaState, options: LuaOptions): void {
  lua.lua_newtable(L);
  lua.lua_pushjsfunction(L, (state: LuaState) => {
    lua.lua_pushnumber(state, lua.lua_istable(state, 1) ? timeOf(state) : Math.floor(options.now() / 1000));
    return 1;
  });
  lua.lua_setfield(L, -2, bytes('time'));
  lua.lua_pushjsfunction(L, (state: LuaState) => {
    const format = textOf(lauxlib.luaL_optstring(state, 1, bytes('%c')));
    const seconds = lauxlib.luaL_optnumber(state, 2, options.now() / 1000);
    lua.lua_pushstring(state, bytes(formatDate(format.replace(/^!/, ''), new Date(seconds * 1000))));
    return 1;
  });
  lua.lua_setfield(L, -2, bytes('date'));
}

function timeOf(L: LuaState): number {
  const part = (name: string, otherwise: number) => {
    lua.lua_getfield(L, 1, bytes(name));
    const value = lua.lua_isnil(L, -1) ? otherwise : Number(lua.lua_tonumber(L, -1));
    lua.lua_pop(L, 1);
    return value;
  };
  const date = Date.UTC(part('year', 1970), part('month', 1) - 1, part('day', 1));
  return Math.floor(date / 1000) + part('hour', 12) * 3600 + part('min', 0) * 60 + part('sec', 0);
}

function formatDate(format: string, date: Date): string {
  const iso = date.toISOString();
  const parts: Record<string, string> = {
    Y: iso.slice(0, 4),
    m: iso.slice(5, 7),
    d: iso.slice(8, 10),
    H: iso.slice(11, 13),
    M: iso.slice(14, 16),
    S: iso.slice(17, 19),
    y: iso.slice(2, 4),
    F: iso.slice(0, 10),
    T: iso.slice(11, 19),
    c: `${iso.slice(0, 10)} ${iso.slice(11, 19)}`,
    '%': '%',
  };
  return format.replace(/%(.)/g, (whole, letter: string) => parts[letter] ?? whole);
}

/** Counts instructions and time. Once over, every instruction fails, so that no pcall of the script can go on. */
function limit(L: LuaState, options: LuaOptions): void {
  const deadline = options.now() + (options.maxTime ?? 1000);
  const maxInstructions = options.maxInstructions ?? 2_000_000;
  let instructions = 0;
  const hook = (state: LuaState) => {
    instructions += HOOK_INTERVAL;
    if (instructions <= maxInstructions && options.now() <= deadline) return;
    lua.lua_sethook(state, hook, lua.LUA_MASKCOUNT, 1);
    lauxlib.luaL_error(state, bytes('the script exceeded its time limit'));
  };
  lua.lua_sethook(L, hook, lua.LUA_MASKCOUNT, HOOK_INTERVAL);
}

/** JSON as Lua values: numbers are doubles, nulls vanish, from lists too. */
function push(L: LuaState, value: unknown): void {
  lauxlib.luaL_checkstack(L, 3, null);
  if (typeof value === 'string') lua.lua_pushstring(L, bytes(value));
  else if (typeof value === 'number') lua.lua_pushnumber(L, value);
  else if (typeof value === 'boolean') lua.lua_pushboolean(L, value);
  else if (Array.isArray(value)) {
    lua.lua_newtable(L);
    const present = value.filter((item) => item !== null && item !== undefined);
    for (const [index, item] of present.entries()) {
      push(L, item);
      lua.lua_rawseti(L, -2, index + 1);
    }
  } else if (value !== null && typeof value === 'object') {
    lua.lua_newtable(L);
    for (const [key, member] of Object.entries(value)) {
      if (member === null || member === undefined) continue;
      lua.lua_pushstring(L, bytes(key));
      push(L, member);
      lua.lua_rawset(L, -3);
    }
  } else lua.lua_pushnil(L);
}

function describe(L: LuaState): string {
  const text = lua.lua_tojsstring(L, -1);
  return typeof text === 'string' ? text : 'the script failed';
}

function readHealth(L: LuaState): Health | null {
  if (lua.lua_gettop(L) === 0 || lua.lua_isnil(L, -1)) return null;
  if (!lua.lua_istable(L, -1)) {
    return unknown(`expect table output from Lua script, not ${textOf(lauxlib.luaL_typename(L, -1))}`);
  }
  const fields = stringFields(L);
  // An empty table, a list, or a field of another type: no status, as in the reference.
  if (!fields) return { status: '', message: '' };
  const { status = '', message = '' } = fields;
  if (!STATUSES.has(status)) return unknown('Lua returned an invalid health status');
  return { status: status as Health['status'], message };
}

/** Status and message of the table on the stack; undefined when it is empty, a list, or they are no strings. */
function stringFields(L: LuaState): { status?: string; message?: string } | undefined {
  const fields: Record<string, string> = {};
  let named = false;
  lua.lua_pushnil(L);
  while (lua.lua_next(L, -2) !== 0) {
    if (lua.lua_type(L, -2) === lua.LUA_TSTRING) {
      named = true;
      const key = String(lua.lua_tojsstring(L, -2)).toLowerCase();
      if (key === 'status' || key === 'message') {
        if (lua.lua_type(L, -1) !== lua.LUA_TSTRING) return undefined;
        fields[key] = lua.lua_tojsstring(L, -1);
      }
    }
    lua.lua_pop(L, 1);
  }
  return named ? fields : undefined;
}
