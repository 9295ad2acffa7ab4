export { default } from '@cirque-internal/config/vitest';
