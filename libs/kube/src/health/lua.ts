import './lua-settings.ts';
// @ts-ignore fengari has no types
import fengariModule from 'fengari';
import type { KubeObject } from '../object.ts';
import { fromLua51 } from './lua51.ts';
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
local spread, isExponent = table.unpack, exponent
unpack, exponent = spread, nil
table.pack, table.unpack, table.move, utf8 = nil, nil, nil, nil
_VERSION = "Lua 5.1"
table.getn = function(t) return #t end
table.maxn = function(t) local n = 0 for k in pairs(t) do if type(k) == "number" and k > n then n = k end end return n end
loadstring = load
local any = load
load = function(f, name)
  if type(f) ~= "function" then error("bad argument #1 to load (function expected, got " .. type(f) .. ")", 2) end
  return any(f, name)
end
local number = tonumber
tonumber = function(v, ...)
  if select("#", ...) == 0 and isExponent(v) then return nil end
  return number(v, ...)
end
dofile, loadfile, collectgarbage, rawlen = nil, nil, nil, nil
if math then
  math.type, math.tointeger, math.maxinteger, math.mininteger, math.ult = nil, nil, nil, nil, nil
  math.huge = 1.7976931348623157e308
  math.pow = function(x, y) return x ^ y end; math.mod = math.fmod
end
if string then
  string.gfind = string.gmatch
  string.dump, string.pack, string.unpack, string.packsize = nil, nil, nil, nil
  local rep = string.rep
  string.rep = function(s, n)
    if #s * n > ${MAX_REPEATED} then error("resulting string too large") end
    return rep(s, n)
  end
  local format, whole = string.format, math.modf
  string.format = function(f, ...)
    local args, count, i = {...}, select("#", ...), 0
    for letter in string.gmatch(f, "%%[-+ #0-9.]*([%a%%])") do
      if letter ~= "%" then
        i = i + 1
        if (letter == "d" or letter == "i") and number(args[i]) then args[i] = whole(number(args[i])) end
      end
    end
    return format(f, spread(args, 1, count))
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
      lauxlib.luaL_loadbuffer(L, bytes(fromLua51(script)), null, bytes('=<string>')) !== 0 ||
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
  lua.lua_register(L, bytes('exponent'), isExponent);
  lua.lua_register(L, bytes('require'), (state: LuaState) => requireLibrary(state, options));
  if (options.openLibs) {
    pushOs(L, options);
    lua.lua_setglobal(L, bytes('os'));
  }
  lauxlib.luaL_loadstring(L, bytes(PRELUDE));
  lua.lua_call(L, 0, 0);
}

/** Whether a value is a text such as `1e3`, which 5.1 of the reference does not take for a number. */
function isExponent(L: LuaState): number {
  const text = lua.lua_type(L, 1) === lua.LUA_TSTRING ? textOf(lua.lua_tostring(L, 1)) : '';
  lua.lua_pushboolean(L, /^\s*[-+]?\d+[eE]/.test(text));
  return 1;
}

/** `require` knows a harmless `os` only; there is no search path. */
function requireLibrary(L: LuaState, options: LuaOptions): number {
  const name = textOf(lauxlib.luaL_checkstring(L, 1));
  if (name === 'os') {
    pushOs(L, options);
    return 1;
  }
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
    const date = new Date(Math.floor(seconds) * 1000);
    const plain = format.replace(/^!+/, '');
    if (plain.startsWith('*t')) pushDate(state, date);
    else lua.lua_pushstring(state, bytes(formatDate(plain, date)));
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

function pushDate(L: LuaState, date: Date): void {
  const fields = {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    min: date.getUTCMinutes(),
    sec: date.getUTCSeconds(),
    wday: date.getUTCDay() + 1,
    yday: 0,
    isdst: false,
  };
  push(L, fields);
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

/** The letters that the reference knows, `%a` and `%x` with its own surprises; others stay as they are. */
function formatDate(format: string, date: Date): string {
  const iso = date.toISOString();
  const hour = date.getUTCHours();
  const month = MONTHS[date.getUTCMonth()]!;
  const half = String(hour % 12 || 12).padStart(2, '0');
  const parts: Record<string, string> = {
    a: 'mon',
    A: DAYS[date.getUTCDay()]!,
    b: month.slice(0, 3),
    B: month,
    c: `${iso.slice(8, 10)} ${month.slice(0, 3)} ${iso.slice(2, 4)} ${iso.slice(11, 16)} UTC`,
    d: iso.slice(8, 10),
    F: iso.slice(0, 10),
    H: iso.slice(11, 13),
    I: half,
    m: iso.slice(5, 7),
    M: iso.slice(14, 16),
    p: hour < 12 ? 'AM' : 'PM',
    P: hour < 12 ? 'am' : 'pm',
    S: iso.slice(17, 19),
    w: String(date.getUTCDay()),
    X: iso.slice(11, 19),
    y: iso.slice(2, 4),
    Y: iso.slice(0, 4),
    z: '+0000',
    Z: 'UTC',
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
  let named = 0;
  let others = 0;
  let wrong = false;
  lua.lua_pushnil(L);
  while (lua.lua_next(L, -2) !== 0) {
    const type = lua.lua_type(L, -1);
    if (type === lua.LUA_TFUNCTION || type === lua.LUA_TTHREAD)
      throw new TypeError(`cannot encode ${textOf(lua.lua_typename(L, type))} to JSON`);
    if (lua.lua_type(L, -2) === lua.LUA_TSTRING) {
      named++;
      const key = String(lua.lua_tojsstring(L, -2)).toLowerCase();
      if (key === 'status' || key === 'message') {
        if (type === lua.LUA_TSTRING) fields[key] = lua.lua_tojsstring(L, -1);
        else wrong = true;
      }
    } else if (lua.lua_type(L, -2) === lua.LUA_TNUMBER) others++;
    else throw new TypeError('cannot encode mixed or invalid key types');
    lua.lua_pop(L, 1);
  }
  if (named > 0 && others > 0) throw new TypeError('cannot encode mixed or invalid key types');
  if (others > 0 && lua.lua_rawlen(L, -1) !== others) throw new TypeError('cannot encode sparse array');
  return named > 0 && !wrong ? fields : undefined;
}
