// `npm run check`: format, lint, import rules, types, generated files, unit tests. Before each commit.
import { bin, run } from './context.ts';
import { runChecks } from './checks.ts';
import { ensureRenderer } from './renderer.ts';

const { failed } = await runChecks();
await ensureRenderer();
const unit = await run(bin('vitest'), ['run', '--project', 'unit']);
process.exit(failed === 0 && unit === 0 ? 0 : 1);
