/**
 * Preloaded into a profiled program: SIGTERM ends it by `process.exit`, so that Node writes the profile.
 */
process.once('SIGTERM', () => process.exit(0));
