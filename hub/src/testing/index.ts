export { type TestDatabase, startTestDatabase } from './database.ts';
