// `npm run format`: rewrites what the formatter would complain about.
import { bin, run } from './context.ts';

process.exit(await run(bin('biome'), ['format', '--write', '.']));
