export { default } from '@cirque-internal/config/tsup';
