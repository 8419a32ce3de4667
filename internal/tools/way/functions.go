package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// function is a declared function of the module.
type function struct{ file, name string }

// functionsAt returns the functions that contain the positions, sorted.
func functionsAt(positions []position, module, root string) ([]function, error) {
	byFile := make(map[string][]position)
	for _, p := range positions {
		byFile[p.file] = append(byFile[p.file], p)
	}
	found := make(map[function]bool)
	for file, positions := range byFile {
		name := strings.TrimPrefix(file, module+"/")
		files := token.NewFileSet()
		syntax, err := parser.ParseFile(files, filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, p := range positions {
			f := enclosing(files, syntax, p)
			if f == nil {
				return nil, fmt.Errorf("%s:%d.%d: no function", name, p.line, p.col)
			}
			found[function{name, nameOf(f)}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b function) int {
		return strings.Compare(a.file+" "+a.name, b.file+" "+b.name)
	}), nil
}

func enclosing(files *token.FileSet, syntax *ast.File, p position) *ast.FuncDecl {
	for _, d := range syntax.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		begin, end := files.Position(f.Body.Pos()), files.Position(f.Body.End())
		if !before(p, begin) && before(p, end) {
			return f
		}
	}
	return nil
}

func before(p position, q token.Position) bool {
	return p.line < q.Line || p.line == q.Line && p.col < q.Column
}

// nameOf returns the name of a function, after that of its receiver.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	switch generic := t.(type) {
	case *ast.IndexExpr:
		t = generic.X
	case *ast.IndexListExpr:
		t = generic.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// filesOf counts the files of functions.
func filesOf(functions []function) int {
	files := make(map[string]bool)
	for _, f := range functions {
		files[f.file] = true
	}
	return len(files)
}
