//! Counting lines, parameters, fields and variants in one source text.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::What;

/// What one file holds.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(super) lines: usize,
    /// Lines inside `#[cfg(test)] mod … { }`.
    pub(super) test_lines: usize,
    pub(super) functions: Vec<Function>,
    pub(super) shapes: Vec<Shape>,
    /// Names of modules declared `#[cfg(test)] mod name;`.
    pub(super) test_modules: Vec<String>,
    /// How deep the visit is inside test modules.
    test_depth: usize,
}

/// A function with or without a body.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
    pub(super) parameters: usize,
    /// It stands in a test module or carries a `test` attribute.
    pub(super) test: bool,
}

/// A struct, variant or error enum and its size.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) what: What,
    pub(super) count: usize,
}

/// Reads one source text.
pub(super) fn measure(text: &str) -> Result<Measured, syn::Error> {
    let file = syn::parse_file(text)?;
    let mut measured = Measured { lines: text.lines().count(), ..Measured::default() };
    measured.visit_file(&file);
    Ok(measured)
}

impl Measured {
    fn function(&mut self, attributes: &[syn::Attribute], signature: &syn::Signature, end: Span) {
        let line = signature.span().start().line;
        self.functions.push(Function {
            name: signature.ident.to_string(),
            line,
            lines: end.end().line - line + 1,
            parameters: signature.inputs.len(),
            test: self.test_depth > 0 || attributes.iter().any(is_test_attribute),
        });
    }

    fn fields(&mut self, name: String, fields: &syn::Fields, span: Span) {
        self.shapes.push(Shape { name, line: span.start().line, what: What::Fields, count: fields.len() });
    }
}

impl<'ast> Visit<'ast> for Measured {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !item.attrs.iter().any(is_cfg_test) {
            return visit::visit_item_mod(self, item);
        }
        if item.content.is_none() {
            self.test_modules.push(item.ident.to_string());
            return;
        }
        if self.test_depth == 0 {
            let span = item.span();
            self.test_lines += span.end().line - span.start().line + 1;
        }
        self.test_depth += 1;
        visit::visit_item_mod(self, item);
        self.test_depth -= 1;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.attrs, &item.sig, item.span());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig, item.span());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(&item.attrs, &item.sig, item.span());
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.fields(item.ident.to_string(), &item.fields, item.ident.span());
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        let name = item.ident.to_string();
        for variant in &item.variants {
            self.fields(format!("{name}::{}", variant.ident), &variant.fields, variant.ident.span());
        }
        if name.ends_with("Error") || item.attrs.iter().any(derives_error) {
            let line = item.ident.span().start().line;
            self.shapes.push(Shape { name, line, what: What::ErrorVariants, count: item.variants.len() });
        }
        visit::visit_item_enum(self, item);
    }
}

/// `#[cfg(test)]`, also within `all(test, …)`.
fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let words = list.tokens.to_string();
    list.path.is_ident("cfg") && (words == "test" || (words.starts_with("all") && words.contains("test")))
}

/// `#[test]`, `#[tokio::test]`.
fn is_test_attribute(attribute: &syn::Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
}

/// A derive whose list ends a path in `Error`.
fn derives_error(attribute: &syn::Attribute) -> bool {
    let mut found = false;
    if attribute.path().is_ident("derive") {
        // A derive list that does not parse is the compiler's business.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|segment| segment.ident == "Error");
            Ok(())
        });
    }
    found
}
