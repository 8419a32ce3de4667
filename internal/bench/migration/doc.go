// Package migration has the programs of docs/migration.md, which are compiled here beside
// the libraries that they use, and tests of its claims about these libraries.
package migration
