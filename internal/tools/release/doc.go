// Command release makes the tags of a version, and checks beforehand that the modules can be
// had by somebody who has neither this repository nor its replace directives.
//
//	release tag [-n] [-checks COMMAND] VERSION
//
// sets VERSION in the requirements between modules, in tracing.Version and in the changelog, runs
// COMMAND, commits, and tags every published module; -n shows it and changes nothing. The tag of
// the core is on that commit. Those of nested modules are on a child of it, without replace
// directives and with the checksums of the modules that they require, because in the branch a
// nested module must go on finding its neighbours in the tree. Nothing is pushed.
//
//	release check [-as-is]
//
// packs every published module as tag would release it into a module proxy of files, and, in an
// empty module outside the repository, gets and builds all of them from it, and runs the program
// of the README. With -as-is the modules are packed as they are in the tree, which shows the
// failure that tag prevents.
//
//	release api [-next VERSION]
//
// prints the changes of the API since the last tag. It fails when they are incompatible and VERSION
// promises that they are not.
//
// Modules below internal, testdata and examples are not published.
package main
