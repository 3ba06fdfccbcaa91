/**
 * Must be imported before fengari, which reads this once: whole numbers print as `2`, not `2.0`, as in Lua 5.1.
 * (The only setting of the environment that is written here, and for this process's own library.)
 */
process.env.FENGARICONF ??= JSON.stringify({ LUA_COMPAT_FLOATSTRING: true });
